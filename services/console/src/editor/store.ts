/** The workflow being edited: its document with its history, what is selected, and what the server says of it. */
import { createContext, useContext } from 'react';
import { useStore } from 'zustand';
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { Definition, InputSpec, NodeDefinition } from '~/api/types';
import type { Library } from '~/graph/calls';
import { portsOf, type Catalogue, type PlacedPorts } from '~/graph/ports';
import { edgesOf, type Edge } from '~/graph/selectors';
import { sameJson } from '~/lib/json';
import type { Draft } from '~/workflows/draft';
import { NO_FAULTS, type FaultIndex } from './document/faults';
import { begin, record, redo, undo, type History } from './document/history';
import { withPlaces } from './document/places';

/** The loose end of a wire that is being drawn. */
export interface OpenWire {
  node: string;
  end: 'source' | 'target';
  kinds: string[];
}

export interface Verdict {
  state: 'checking' | 'valid' | 'invalid' | 'unknown';
  /** The definition it was given of. */
  of: Definition | null;
  inputs: InputSpec[];
  /** Of what is wrong; such a workflow does not run. */
  count: number;
  /** Of what is surely not meant; such a workflow runs. */
  warnings: number;
}

export interface EditorState {
  catalogue: Catalogue;
  /** Saved workflows that are called and that the definition does not bring along, as far as they are known. */
  called: Library;
  history: History;
  /** The workflow that a save replaces; null until the first one has made it. */
  id: string | null;
  /** What the server has; what differs from it is not saved. */
  saved: Definition | null;
  /** The version of `saved`: a save replaces this one, and none that came after it unseen. */
  base: number | null;
  nodes: ReadonlyMap<string, NodeDefinition>;
  ports: ReadonlyMap<string, PlacedPorts>;
  edges: readonly Edge[];
  faults: FaultIndex;
  verdict: Verdict;
  selection: ReadonlySet<string>;
  wire: OpenWire | null;
  /** Why what is being written cannot be taken over, such as half of a JSON text; null where all can. */
  untaken: string | null;
  /** Takes over at once what is typed and waits for a pause or for its field to be left, and gives what is `untaken` then. */
  settle(): string | null;
}

export interface EditorActions {
  /** Changes the document; changes of one `join` in a row are one step of undo. */
  change(edit: (definition: Definition) => Definition, join?: string): void;
  replace(definition: Definition): void;
  /** Has `take` called whenever typing is to be taken over, until what it gives back is called. */
  onSettle(take: () => void): () => void;
  setUntaken(why: string | null): void;
  undo(): void;
  redo(): void;
  select(ids: Iterable<string>): void;
  setWire(wire: OpenWire | null): void;
  judge(verdict: Verdict, faults?: FaultIndex): void;
  markSaved(saved: Version): void;
  /** Goes over to what somebody else saved. Work that was not saved is one step of undo away. */
  load(version: Version): void;
  /** Goes on with work that was left unsaved; undo gives what is saved. */
  resume(draft: Draft): void;
  /** The server's blocks as they are now: an upgrade may bring others while the page is open. */
  setCatalogue(catalogue: Catalogue): void;
  setCalled(called: Library): void;
}

/** A definition as the server has it. */
export interface Version {
  id: string;
  version: number;
  definition: Definition;
}

export type EditorStore = StoreApi<EditorState & EditorActions>;

export function createEditor(
  definition: Definition,
  saved: Version | null,
  catalogue: Catalogue,
): EditorStore {
  const typing = new Set<() => void>();
  return createStore<EditorState & EditorActions>((set, get) => {
    const show = (history: History): void =>
      set(before => {
        const next = derive(history.present, before);
        return { history, ...next, selection: without(before.selection, next.nodes) };
      });
    return {
      catalogue,
      called: {},
      history: begin(definition),
      id: saved?.id ?? null,
      saved: saved?.definition ?? null,
      base: saved?.version ?? null,
      ...derive(definition, { catalogue, called: {}, ports: new Map(), edges: [] }),
      faults: NO_FAULTS,
      verdict: { state: 'unknown', of: null, inputs: [], count: 0, warnings: 0 },
      selection: new Set(),
      wire: null,
      untaken: null,
      settle() {
        typing.forEach(take => take());
        return get().untaken;
      },
      setUntaken: why => set({ untaken: why }),
      onSettle(take) {
        typing.add(take);
        return () => typing.delete(take);
      },
      change(edit, join) {
        const { history } = get();
        // What has no place yet stays where it is drawn, whatever the change would make of the layout.
        const placed = withPlaces(history.present);
        const next = edit(placed);
        if (next !== placed) show(record(history, next, join ?? null, Date.now()));
      },
      replace: next => show(record(get().history, next, 'json', Date.now())),
      undo: () => show(undo(get().history)),
      redo: () => show(redo(get().history)),
      select: ids => set({ selection: new Set(ids) }),
      setWire: wire => set({ wire }),
      judge: (verdict, faults) => set({ verdict, ...(faults && { faults }) }),
      markSaved: ({ id, definition: next, version }) => set({ id, saved: next, base: version }),
      load({ id, definition: next, version }) {
        const state = get();
        show(isChanged(state) ? record(state.history, next, null, Date.now()) : begin(next));
        set({ id, saved: next, base: version });
      },
      resume(draft) {
        get().change(() => draft.definition);
        set({ base: draft.base });
      },
      setCatalogue(next) {
        const state = get();
        if (next !== state.catalogue)
          set({ catalogue: next, ...derive(state.history.present, { ...state, catalogue: next }) });
      },
      setCalled(next) {
        if (sameJson(next, get().called)) return;
        // What is being typed into an input that is about to be elsewhere is meant for where it is now.
        get().settle();
        const state = get();
        set({ called: next, ...derive(state.history.present, { ...state, called: next }) });
      },
    };
  });
}

type Known = Pick<EditorState, 'catalogue' | 'called' | 'ports' | 'edges'>;

/** What follows from the document. Ports and wires that did not change stay the same objects. */
function derive(definition: Definition, before: Known) {
  const ports = portsOf(definition, before.catalogue, before.called);
  for (const [id, placed] of ports) {
    const known = before.ports.get(id);
    if (known && sameJson(known, placed)) ports.set(id, known);
  }
  const edges = edgesOf(definition);
  return {
    nodes: new Map(definition.nodes.map(node => [node.id, node])),
    ports,
    edges: sameJson(edges, before.edges) ? before.edges : edges,
  };
}

/** What is selected, less what is no longer there. */
function without(selection: ReadonlySet<string>, nodes: ReadonlyMap<string, unknown>): ReadonlySet<string> {
  const kept = [...selection].filter(id => nodes.has(id));
  return kept.length === selection.size ? selection : new Set(kept);
}

export const EditorContext = createContext<EditorStore | null>(null);

export function useEditorStore(): EditorStore {
  const store = useContext(EditorContext);
  if (!store) throw new Error('the editor is used outside its page');
  return store;
}

/** A part of the editor; renders again only when that part changes. */
export function useEditor<T>(select: (state: EditorState & EditorActions) => T): T {
  return useStore(useEditorStore(), select);
}

/** Whether there is something to save, or a text to finish first. */
export function isDirty(state: EditorState): boolean {
  return state.untaken !== null || isChanged(state);
}

/** Whether the document is another one than is saved. An untouched empty canvas is none. */
export function isChanged(state: EditorState): boolean {
  if (state.saved === null && state.history.present.nodes.length === 0) return false;
  return !sameJson(state.history.present, state.saved);
}

/** Whether what is on the canvas would run otherwise than what is saved: where the boxes lie makes no difference. */
export function runsOtherwise({ history, saved }: EditorState): boolean {
  return saved === null || !sameJson({ ...history.present, ui: null }, { ...saved, ui: null });
}

/**
 * Whether somebody did something here that would be lost: an example that was only looked at is no work. What was saved may be undone
 * to the very first step.
 */
export function hasWork(state: EditorState): boolean {
  return state.untaken !== null || hasChanges(state);
}

/** Whether some of that is in the document, which can be kept as a draft. */
export function hasChanges(state: EditorState): boolean {
  return (state.saved !== null || state.history.past.length > 0) && isChanged(state);
}
