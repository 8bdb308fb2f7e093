import { constants } from 'node:os';
import type { TaskState, TaskStatus } from '../../wire/v1.ts';

const TERMINAL: ReadonlySet<TaskState | undefined> = new Set<TaskState>([
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_ERROR',
  'TASK_LOST',
  'TASK_DROPPED',
  'TASK_GONE',
  'TASK_GONE_BY_OPERATOR',
]);

export function isTerminal(state: TaskState | undefined): boolean {
  return TERMINAL.has(state);
}

/** What strsignal says, for the signals that end tasks in practice; upstream's messages carry these names. */
const SIGNAL_NAMES: Readonly<Record<string, keyof typeof constants.signals>> = {
  Hangup: 'SIGHUP',
  Interrupt: 'SIGINT',
  Quit: 'SIGQUIT',
  'Illegal instruction': 'SIGILL',
  Aborted: 'SIGABRT',
  'Bus error': 'SIGBUS',
  'Floating point exception': 'SIGFPE',
  Killed: 'SIGKILL',
  'Segmentation fault': 'SIGSEGV',
  'Broken pipe': 'SIGPIPE',
  Terminated: 'SIGTERM',
  'User defined signal 1': 'SIGUSR1',
  'User defined signal 2': 'SIGUSR2',
};

/**
 * The exit status that a shell would show for a task: 0 when it finished, its own status when it failed, 128 + n when
 * signal n ended it, 1 when it never ran. Task statuses carry the number only in their message, as upstream words it.
 */
export function exitStatusOf(status: TaskStatus): number {
  if (status.state === 'TASK_FINISHED') return 0;
  const message = status.message ?? '';
  const exited = /exited with status (\d+)/.exec(message);
  if (exited) return Number(exited[1]) || 1;
  const signal = /terminated with signal ([^()\d]+?)(?: \((core dumped)\))?$/.exec(message.trim());
  const name = signal && SIGNAL_NAMES[signal[1]!.trim()];
  if (name) return 128 + constants.signals[name];
  return status.state === 'TASK_KILLED' ? 128 + constants.signals.SIGTERM : 1;
}

/** One line for people: the state in words, with reason and message where there are any. */
export function describeStatus(status: TaskStatus): string {
  const state = status.state.replace('TASK_', '').toLowerCase().replaceAll('_', ' ');
  const reason = status.reason ? ` (${status.reason})` : '';
  return status.message ? `${state}${reason}: ${status.message}` : `${state}${reason}`;
}
