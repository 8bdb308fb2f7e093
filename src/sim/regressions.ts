/**
 * Seeds that once failed, by what they found. A change of the simulator makes other runs of them; the unit tests beside
 * the cores hold the bugs themselves.
 */
export interface Regression {
  readonly name: string;
  readonly seed: number;
}

export const REGRESSIONS: readonly Regression[] = [
  { name: 'the container of a task that is killed before it runs is destroyed before its end is told', seed: 60 },
  { name: 'a task of which only a part was written down when the agent was killed is dropped', seed: 248 },
  { name: 'what a restarted agent says while its reregistration is being committed counts', seed: 905 },
  { name: 'an operation that fails while the agent registers has it register again', seed: 2010 },
  { name: 'volumes that failed while the agent registered are held against its tasks', seed: 2532 },
  { name: 'an older update that comes after the end does not keep the task in the books', seed: 4197 },
  { name: 'nor does it when the task was killed', seed: 4945 },
  { name: 'a launch that overtakes the admission of its agent is answered', seed: 4593 },
  { name: 'an agent whose admission passed it by has none of the tasks that came with it', seed: 25680 },
  { name: 'nor is it taken for the one that had them when its connection broke', seed: 22272 },
  { name: 'an end that is told under two uuids is acknowledged by either', seed: 50693 },
  { name: 'containers of a lost launcher are cleared before their end is written down', seed: 21291 },
  { name: 'of two candidates of one session the first one leads', seed: 63733 },
  { name: 'an inventory of an earlier life of an agent is not believed for long', seed: 63443 },
  {
    name: 'an end that was acknowledged when its agent could not be reached is not taken back into the books',
    seed: 53435,
  },
  { name: 'Marathon does not wait for volumes that no agent has been seen to use', seed: 1_000_035 },
  { name: 'a kill of an instance that was forgotten does not keep others from their turn', seed: 1_000_413 },
  { name: 'roles that Marathon told on a connection that broke are told again', seed: 1_001_047 },
  { name: 'nothing more is launched for a deployment that was given up', seed: 1_001_300 },
  { name: 'who is told that volumes are given up can rely on that', seed: 1_000_142 },
  { name: 'a Marathon that was succeeded says nothing to the master any more', seed: 1_000_473 },
  { name: 'what was given back on an agent that was away is given back again', seed: 1_000_262 },
  { name: 'an unwanted instance is forgotten when nobody knows its agent', seed: 1_003_641 },
  { name: 'an instance that was replaced and has ended is not launched again', seed: 1_001_397 },
  { name: 'a pod is launched again only when all of its containers have ended', seed: 1_014_570 },
  { name: 'and until then it counts as one that is there', seed: 1_012_523 },
  { name: 'nor where its executor has not ended yet', seed: 1_021_465 },
  { name: 'a task that the master did not know any more is taken back when it is there after all', seed: 1_024_012 },
  { name: 'an agent that takes the admission of an earlier life for its own registers again', seed: 1_025_894 },
  { name: 'nothing is reserved on an agent of which it is being written down what it has become', seed: 1_034_986 },
  { name: 'every registration of an agent is answered, also those that make way for newer ones', seed: 1_000_923 },
  { name: 'what an agent tells while it is admitted once more is heard afterwards', seed: 1_019_119 },
];
