/** Where things lie under the work directory: upstream's layout, which tools and people know. */

export function agentDirectory(workDir: string, agentId: string): string {
  return `${workDir}/slaves/${agentId}`;
}

export function frameworkDirectory(workDir: string, agentId: string, frameworkId: string): string {
  return `${agentDirectory(workDir, agentId)}/frameworks/${frameworkId}`;
}

/** The folder of an executor's runs: `latest` in it links to the newest. */
export function runsDirectory(workDir: string, agentId: string, frameworkId: string, executorId: string): string {
  return `${frameworkDirectory(workDir, agentId, frameworkId)}/executors/${executorId}/runs`;
}

/** The sandbox of a task in a group: inside its executor's, under the id of its own container. */
export function nestedSandbox(executorDirectory: string, containerId: string): string {
  return `${executorDirectory}/containers/${containerId}`;
}

/** The path under /files that stays the same whatever the agent's id and the run are. */
export function virtualRunPath(frameworkId: string, executorId: string): string {
  return `/frameworks/${frameworkId}/executors/${executorId}/runs/latest`;
}
