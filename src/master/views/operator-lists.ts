/** The answers of the operator API that may be long (facts: http-endpoints, 2), in both encodings, in parts. */

import type { JsonCodec } from '../../wire/message-type.ts';
import { AgentInfo, Offer, type Task } from '../../wire/v1.ts';
import {
  Event,
  Event_Subscribed,
  Response,
  Response_GetAgents,
  Response_GetAgents_Agent,
  Response_GetExecutors,
  Response_GetExecutors_Executor,
  Response_GetFrameworks,
  Response_GetFrameworks_Framework,
  Response_GetState,
  Response_GetTasks,
} from '../../wire/v1_master.ts';
import type { OfferContent } from '../core/offers.ts';
import { offeredTo, usedBy } from './frameworks.ts';
import { v1TaskText } from './json-text.ts';
import type { Form, Kept, Listed, Steps } from './kept.ts';
import { agentMessage, frameworkMessage, offerMessage } from './operator.ts';
import {
  header,
  jsonForm,
  jsonItems,
  nested,
  type Part,
  type Parts,
  protobufForm,
  protobufItems,
  tagOf,
} from './parts.ts';
import {
  type AgentShown,
  ALL,
  type ExecutorShown,
  everyFramework,
  type FrameworkShown,
  type Snapshot,
  type Wanted,
} from './snapshot.ts';

/** The calls that are answered here. */
export const LISTING_CALLS = ['GET_STATE', 'GET_AGENTS', 'GET_FRAMEWORKS', 'GET_EXECUTORS', 'GET_TASKS'] as const;
export type ListingCall = (typeof LISTING_CALLS)[number];

/** What a call needs of the state. */
export const WANTED: Readonly<Record<ListingCall, Wanted>> = {
  GET_STATE: ALL,
  GET_AGENTS: { agents: true },
  GET_FRAMEWORKS: { holdings: true },
  GET_EXECUTORS: { executors: true },
  GET_TASKS: { tasks: true },
};

type Writer = (kept: Kept, snapshot: Snapshot) => Parts;

/** The whole response as JSON. Its lists are there even when empty, as upstream prints them. */
export function* listingJson(kept: Kept, snapshot: Snapshot, type: ListingCall): Parts {
  yield `{"type":"${type}","${type.toLowerCase()}":`;
  yield* JSON_OF[type](kept, snapshot);
  yield '}';
}

/** The whole response as protobuf. */
export function* listingProtobuf(kept: Kept, snapshot: Snapshot, type: ListingCall): Parts {
  yield Response.encode({ type });
  yield nested(Response, type.toLowerCase() as keyof Response, PROTOBUF_OF[type](kept, snapshot));
}

/** The first event of an operator's stream: everything as it is at one instant. @param heartbeat seconds */
export function* subscribedJson(kept: Kept, snapshot: Snapshot, heartbeat: number): Parts {
  yield '{"type":"SUBSCRIBED","subscribed":{"get_state":';
  yield* stateJson(kept, snapshot);
  yield `,"heartbeat_interval_seconds":${heartbeat}}}`;
}

export function* subscribedProtobuf(kept: Kept, snapshot: Snapshot, heartbeat: number): Parts {
  yield Event.encode({ type: 'SUBSCRIBED' });
  const rest = Event_Subscribed.encode({ heartbeat_interval_seconds: heartbeat });
  yield nested(Event, 'subscribed', [nested(Event_Subscribed, 'get_state', stateProtobuf(kept, snapshot)), rest]);
}

const JSON_OF: Readonly<Record<ListingCall, Writer>> = {
  GET_STATE: stateJson,
  GET_AGENTS: agentsJson,
  GET_FRAMEWORKS: frameworksJson,
  GET_EXECUTORS: executorsJson,
  GET_TASKS: tasksJson,
};

const PROTOBUF_OF: Readonly<Record<ListingCall, Writer>> = {
  GET_STATE: stateProtobuf,
  GET_AGENTS: agentsProtobuf,
  GET_FRAMEWORKS: frameworksProtobuf,
  GET_EXECUTORS: executorsProtobuf,
  GET_TASKS: tasksProtobuf,
};

function* stateJson(kept: Kept, snapshot: Snapshot): Parts {
  yield '{"get_tasks":';
  yield* tasksJson(kept, snapshot);
  yield ',"get_executors":';
  yield* executorsJson(kept, snapshot);
  yield ',"get_frameworks":';
  yield* frameworksJson(kept, snapshot);
  yield ',"get_agents":';
  yield* agentsJson(kept, snapshot);
  yield '}';
}

function* stateProtobuf(kept: Kept, snapshot: Snapshot): Parts {
  yield nested(Response_GetState, 'get_tasks', tasksProtobuf(kept, snapshot));
  yield nested(Response_GetState, 'get_executors', executorsProtobuf(kept, snapshot));
  yield nested(Response_GetState, 'get_frameworks', frameworksProtobuf(kept, snapshot));
  yield nested(Response_GetState, 'get_agents', agentsProtobuf(kept, snapshot));
}

function forms<T, Message, Outer>(
  inner: JsonCodec<Message>,
  outer: Parameters<typeof protobufForm<T, Outer>>[0],
  messageOf: (item: T) => Message,
  around: (messages: Message[]) => Outer,
): { readonly json: Form<T>; readonly protobuf: Form<T> } {
  return {
    json: jsonForm(outer.name, (item) => inner.stringify(messageOf(item))),
    protobuf: protobufForm(outer, (items) => around(items.map(messageOf))),
  };
}

const same = <T>(item: T): T => item;
const executorMessage = ({ agentId, executor }: ExecutorShown): Response_GetExecutors_Executor => ({
  executor_info: executor,
  agent_id: { value: agentId },
});

const V1_TASKS = jsonForm<Task>('v1 tasks', v1TaskText);
const LIVE = protobufForm<Task, Response_GetTasks>(Response_GetTasks, (tasks) => ({ tasks }));
const LOST = protobufForm<Task, Response_GetTasks>(Response_GetTasks, (tasks) => ({ unreachable_tasks: tasks }));
const ENDED = protobufForm<Task, Response_GetTasks>(Response_GetTasks, (tasks) => ({ completed_tasks: tasks }));
const EXECUTORS = forms(Response_GetExecutors_Executor, Response_GetExecutors, executorMessage, (executors) => ({
  executors,
}));
const AGENTS = forms<AgentShown, Response_GetAgents_Agent, Response_GetAgents>(
  Response_GetAgents_Agent,
  Response_GetAgents,
  agentMessage,
  (agents) => ({ agents }),
);
const RECOVERED = forms<AgentInfo, AgentInfo, Response_GetAgents>(AgentInfo, Response_GetAgents, same, (infos) => ({
  recovered_agents: infos,
}));

function* tasksJson(kept: Kept, snapshot: Snapshot): Parts {
  yield '{"tasks":[';
  yield* jsonItems(kept, listsOf(snapshot, 'tasks'), V1_TASKS);
  yield '],"unreachable_tasks":[';
  yield* jsonItems(kept, listsOf(snapshot, 'unreachableTasks'), V1_TASKS);
  yield '],"completed_tasks":[';
  yield* jsonItems(kept, listsOf(snapshot, 'completedTasks'), V1_TASKS);
  yield ']}';
}

function* tasksProtobuf(kept: Kept, snapshot: Snapshot): Parts {
  yield* protobufItems(kept, listsOf(snapshot, 'tasks'), LIVE);
  yield* protobufItems(kept, listsOf(snapshot, 'unreachableTasks'), LOST);
  yield* protobufItems(kept, listsOf(snapshot, 'completedTasks'), ENDED);
}

type TaskListName = 'tasks' | 'unreachableTasks' | 'completedTasks';

function listsOf(snapshot: Snapshot, name: TaskListName): Listed<Task>[] {
  return Array.from(everyFramework(snapshot), (framework) => framework[name]);
}

function* executorsJson(kept: Kept, snapshot: Snapshot): Parts {
  yield '{"executors":[';
  yield* jsonItems(kept, executorLists(snapshot), EXECUTORS.json);
  yield ']}';
}

function executorsProtobuf(kept: Kept, snapshot: Snapshot): Parts {
  return protobufItems(kept, executorLists(snapshot), EXECUTORS.protobuf);
}

function executorLists({ frameworks }: Snapshot): Listed<ExecutorShown>[] {
  return frameworks.map(({ executors }) => executors);
}

function* agentsJson(kept: Kept, { agents, recovered }: Snapshot): Parts {
  yield '{"agents":[';
  yield* jsonItems(kept, [agents], AGENTS.json);
  yield '],"recovered_agents":[';
  yield* jsonItems(kept, [recovered], RECOVERED.json);
  yield ']}';
}

function* agentsProtobuf(kept: Kept, { agents, recovered }: Snapshot): Parts {
  yield* protobufItems(kept, [agents], AGENTS.protobuf);
  yield* protobufItems(kept, [recovered], RECOVERED.protobuf);
}

/** The message that repeats offers wants more than offers; entries are encoded alone and given the field's key. */
const OFFERS: { readonly json: Form<OfferContent>; readonly protobuf: Form<OfferContent> } = {
  json: jsonForm('offers', (offer) => Offer.stringify(offerMessage(offer))),
  protobuf: {
    name: 'offers',
    make: (offers) =>
      entries(
        offers.map((offer) => Offer.encode(offerMessage(offer))),
        'offers',
      ),
  },
};

function entries(messages: readonly Uint8Array[], field: keyof Response_GetFrameworks_Framework): Uint8Array {
  const heads = messages.map((message) => header(tagOf(Response_GetFrameworks_Framework, field), message.length));
  const total = messages.reduce((sum, message, at) => sum + message.length + heads[at]!.length, 0);
  const bytes = new Uint8Array(total);
  let end = 0;
  messages.forEach((message, at) => {
    bytes.set(heads[at]!, end);
    bytes.set(message, end + heads[at]!.length);
    end += heads[at]!.length + message.length;
  });
  return bytes;
}

function* frameworksJson(kept: Kept, { frameworks, completedFrameworks }: Snapshot): Parts {
  yield '{"frameworks":[';
  for (const framework of frameworks) yield* frameworkJson(kept, framework, framework === frameworks[0]);
  yield '],"completed_frameworks":[';
  for (const framework of completedFrameworks) {
    yield* frameworkJson(kept, framework, framework === completedFrameworks[0]);
  }
  yield ']}';
}

function* frameworkJson(kept: Kept, framework: FrameworkShown, first: boolean): Parts {
  const text = Response_GetFrameworks_Framework.stringify(yield* messageOf(kept, framework));
  yield first ? text.slice(0, -1) : `,${text.slice(0, -1)}`;
  if (framework.offers.items.length > 0) {
    yield ',"offers":[';
    yield* jsonItems(kept, [framework.offers], OFFERS.json);
    yield ']';
  }
  yield '}';
}

function* frameworksProtobuf(kept: Kept, { frameworks, completedFrameworks }: Snapshot): Parts {
  for (const framework of frameworks) yield frameworkProtobuf(kept, framework, 'frameworks');
  for (const framework of completedFrameworks) yield frameworkProtobuf(kept, framework, 'completed_frameworks');
}

function frameworkProtobuf(kept: Kept, framework: FrameworkShown, field: keyof Response_GetFrameworks & string): Part {
  const parts = function* (): Parts {
    yield Response_GetFrameworks_Framework.encode(yield* messageOf(kept, framework));
    yield* protobufItems(kept, [framework.offers], OFFERS.protobuf);
  };
  return nested(Response_GetFrameworks, field, parts());
}

/** Everything of a framework but its offers, which may be many. */
function* messageOf(kept: Kept, framework: FrameworkShown): Steps<Response_GetFrameworks_Framework> {
  const used = yield* usedBy(kept, framework);
  return frameworkMessage(framework, used, yield* offeredTo(kept, framework));
}
