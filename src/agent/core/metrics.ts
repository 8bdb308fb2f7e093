/** Counters that only grow; gauges are computed from the state by the views. */
export interface AgentMetrics {
  tasksFinished: number;
  tasksFailed: number;
  tasksKilled: number;
  tasksLost: number;
  tasksGone: number;
  executorsTerminated: number;
  executorsPreempted: number;
  validStatusUpdates: number;
  invalidStatusUpdates: number;
  validFrameworkMessages: number;
  invalidFrameworkMessages: number;
  containerLaunchErrors: number;
  recoveryErrors: number;
  /** Milliseconds from the start until all executors of before were back, or given up; absent until then. */
  recoveryTime: number | undefined;
  pathRemovals: number;
  failedPathRemovals: number;
}

export function createMetrics(): AgentMetrics {
  return {
    tasksFinished: 0,
    tasksFailed: 0,
    tasksKilled: 0,
    tasksLost: 0,
    tasksGone: 0,
    executorsTerminated: 0,
    executorsPreempted: 0,
    validStatusUpdates: 0,
    invalidStatusUpdates: 0,
    validFrameworkMessages: 0,
    invalidFrameworkMessages: 0,
    containerLaunchErrors: 0,
    recoveryErrors: 0,
    recoveryTime: undefined,
    pathRemovals: 0,
    failedPathRemovals: 0,
  };
}
