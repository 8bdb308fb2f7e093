import { replayGroup } from './replay.fixture.ts';

replayGroup('masters');
