import { replayGroup } from './replay.fixture.ts';

replayGroup('clusters');
