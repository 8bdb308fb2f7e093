/**
 * What has to be there before what. Apps name apps, pods and groups; groups name them for all that is in them. A group
 * stands for its members, so the graph has nodes for groups too: two groups of thousands need one edge between them.
 */
import { err, ok, type Result } from '../../../base/result.ts';
import type { Group, RunSpec } from '../model.ts';
import { groupAt, lineage, parentOf, specAt } from './groups.ts';

/** `spec` is one app or pod, `members` all of a group, `needs` what a group depends on together with its parents. */
type Node = `spec ${string}` | `members ${string}` | `needs ${string}`;

/** How deep specs stand: 1 without dependencies, otherwise one more than the deepest of what they need. */
export type Layers = ReadonlyMap<string, number>;

/** @returns the layer of each of these specs, or the ids of a circle of dependencies */
export function layersOf(root: Group, ids: Iterable<string>): Result<Layers, readonly string[]> {
  const depths = new Map<Node, number>();
  const layers = new Map<string, number>();
  for (const id of ids) {
    const circle = measure(root, `spec ${id}`, depths);
    if (circle !== undefined) return err(circle);
    layers.set(id, depths.get(`spec ${id}`)!);
  }
  return ok(layers);
}

interface Visit {
  readonly node: Node;
  readonly edges: readonly Node[];
  next: number;
  depth: number;
}

/** Depth-first without recursion: chains may be thousands long. @returns a circle, if there is one */
function measure(root: Group, start: Node, depths: Map<Node, number>): readonly string[] | undefined {
  if (depths.has(start)) return undefined;
  const path: Visit[] = [visit(root, start)];
  const open = new Set<Node>([start]);
  while (path.length > 0) {
    const top = path.at(-1)!;
    const edge = top.edges[top.next++];
    if (edge === undefined) {
      const depth = top.depth + (top.node.startsWith('spec ') ? 1 : 0);
      depths.set(top.node, depth);
      open.delete(top.node);
      path.pop();
      const below = path.at(-1);
      if (below) below.depth = Math.max(below.depth, depth);
    } else if (depths.has(edge)) {
      top.depth = Math.max(top.depth, depths.get(edge)!);
    } else if (open.has(edge)) {
      return circleOf(path, edge);
    } else {
      open.add(edge);
      path.push(visit(root, edge));
    }
  }
  return undefined;
}

function circleOf(path: readonly Visit[], from: Node): readonly string[] {
  const start = path.findIndex(({ node }) => node === from);
  return path
    .slice(start)
    .map(({ node }) => node)
    .filter((node) => node.startsWith('spec '))
    .map((node) => node.slice('spec '.length));
}

function visit(root: Group, node: Node): Visit {
  return { node, edges: edgesOf(root, node), next: 0, depth: 0 };
}

function edgesOf(root: Group, node: Node): readonly Node[] {
  const at = node.indexOf(' ');
  const id = node.slice(at + 1);
  switch (node.slice(0, at)) {
    case 'spec':
      return specEdges(root, id);
    case 'members':
      return memberEdges(root, id);
    default:
      return needsEdges(root, id);
  }
}

function specEdges(root: Group, id: string): readonly Node[] {
  const spec = specAt(root, id);
  const own = spec === undefined ? [] : dependenciesOf(spec);
  const inherited: readonly Node[] = hasNeeds(root, parentOf(id)) ? [`needs ${parentOf(id)}`] : [];
  return [...targets(root, own), ...inherited];
}

function memberEdges(root: Group, id: string): readonly Node[] {
  const group = groupAt(root, id);
  if (group === undefined) return [];
  return [
    ...[...group.apps.keys(), ...group.pods.keys()].map((spec): Node => `spec ${spec}`),
    ...[...group.groups.keys()].map((child): Node => `members ${child}`),
  ];
}

function needsEdges(root: Group, id: string): readonly Node[] {
  const own = targets(root, groupAt(root, id)?.dependencies ?? []);
  return id === '/' || !hasNeeds(root, parentOf(id)) ? own : [...own, `needs ${parentOf(id)}`];
}

function hasNeeds(root: Group, id: string): boolean {
  return lineage(id).some((each) => (groupAt(root, each)?.dependencies.length ?? 0) > 0);
}

/** What is named but not there stands in nobody's way. */
function targets(root: Group, ids: readonly string[]): readonly Node[] {
  return ids.flatMap((id): Node[] => {
    if (specAt(root, id)) return [`spec ${id}`];
    return groupAt(root, id) ? [`members ${id}`] : [];
  });
}

function dependenciesOf(spec: RunSpec): readonly string[] {
  return spec.kind === 'app' ? spec.dependencies : [];
}
