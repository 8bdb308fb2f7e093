import type { FrameworkInfo, TaskState } from '../../wire/v1.ts';

const TERMINAL: ReadonlySet<TaskState> = new Set<TaskState>([
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_ERROR',
  'TASK_LOST',
  'TASK_DROPPED',
  'TASK_GONE',
  'TASK_GONE_BY_OPERATOR',
]);

/** Whether nothing can come after this state. */
export function isTerminal(state: TaskState | undefined): boolean {
  return state !== undefined && TERMINAL.has(state);
}

type CapabilityType = NonNullable<NonNullable<FrameworkInfo['capabilities']>[number]['type']>;

export function hasCapability(framework: FrameworkInfo, type: CapabilityType): boolean {
  return framework.capabilities?.some((capability) => capability.type === type) ?? false;
}

/** The state of a task that never ran: frameworks that know partitions are told the difference from a lost one. */
export function droppedState(framework: FrameworkInfo): TaskState {
  return hasCapability(framework, 'PARTITION_AWARE') ? 'TASK_DROPPED' : 'TASK_LOST';
}

/** The state of a task of which nobody knows how it ended. */
export function goneState(framework: FrameworkInfo): TaskState {
  return hasCapability(framework, 'PARTITION_AWARE') ? 'TASK_GONE' : 'TASK_LOST';
}

/** Names as strsignal(3) of glibc gives them, which upstream's messages carry. */
const SIGNALS: readonly string[] = [
  'Unknown signal 0',
  'Hangup',
  'Interrupt',
  'Quit',
  'Illegal instruction',
  'Trace/breakpoint trap',
  'Aborted',
  'Bus error',
  'Floating point exception',
  'Killed',
  'User defined signal 1',
  'Segmentation fault',
  'User defined signal 2',
  'Broken pipe',
  'Alarm clock',
  'Terminated',
  'Stack fault',
  'Child exited',
  'Continued',
  'Stopped (signal)',
  'Stopped',
  'Stopped (tty input)',
  'Stopped (tty output)',
  'Urgent I/O condition',
  'CPU time limit exceeded',
  'File size limit exceeded',
  'Virtual timer expired',
  'Profiling timer expired',
  'Window changed',
  'I/O possible',
  'Power failure',
  'Bad system call',
];

/** Whether the process ended by itself with exit code 0. @param status as waitpid tells it */
export function succeeded(status: number): boolean {
  return (status & 0xffff) === 0;
}

/** For example `exited with status 3` or `terminated with signal Killed`. @param status as waitpid tells it */
export function describeExit(status: number): string {
  const signal = status & 0x7f;
  if (signal === 0) return `exited with status ${(status >> 8) & 0xff}`;
  const name = SIGNALS[signal] ?? `Unknown signal ${signal}`;
  return `terminated with signal ${name}${(status & 0x80) === 0 ? '' : ' (core dumped)'}`;
}
