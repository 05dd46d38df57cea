/**
 * The JSON of the REST api and of its events, derived from its OpenAPI document: `npm run types` writes `schema.gen.ts` anew.
 * What the document leaves open is told here, field by field; a field that the document does not have, or has as something else,
 * does not compile. Times are milliseconds since the Unix epoch.
 */
import type { components } from './schema.gen';

type Schemas = components['schemas'];

/** `T` with some of its fields told more exactly. */
type Told<T, Fields extends { [Name in keyof Fields]: Name extends keyof T ? T[Name] : never }> = Omit<
  T,
  keyof Fields
> &
  Fields;

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export type Problem = Schemas['Problem'];
export type Fault = Schemas['Fault'];

export type ExecutionStatus = Schemas['ExecutionStatus'];
export type NodeStatus = Schemas['NodeStatus'];
export type Priority = Schemas['Priority'];
export type Progress = Schemas['Progress'];
export type JobError = Schemas['JobError'];
export type JobMetrics = Schemas['JobMetrics'];
export type RunAccepted = Schemas['RunAccepted'];
export type NodeRun = Told<Schemas['NodeRun'], { outputs?: JsonObject | null; inputs?: JsonObject | null }>;
export type Snapshot = Told<Schemas['Snapshot'], { outputs?: JsonObject | null; nodes: NodeRun[] }>;
export type EventEnvelope = Told<Schemas['Event'], { data: JsonObject }>;
export type ExecutionSummary = Told<Schemas['ExecutionRow'], { labels: Record<string, string> }>;
export type Execution = Told<
  Schemas['Execution'],
  { labels?: Record<string, string> | null; input?: JsonObject | null; outputs?: JsonObject | null }
>;

export type NodePage = Told<Schemas['NodePage'], { nodes: NodeRun[] }>;
export type EventPage = Told<Schemas['EventPage'], { events: EventEnvelope[] }>;
export type ExecutionPage = Told<Schemas['ExecutionPage'], { executions: ExecutionSummary[] }>;

export type WorkflowSummary = Schemas['WorkflowRow'];
export type WorkflowRecord = Told<Schemas['Workflow'], { definition: Definition }>;
export type WorkflowPage = Schemas['WorkflowPage'];
export type Versions = Schemas['Versions'];
export type Collection = Schemas['Collection'];
export type Collections = Schemas['Collections'];
export type CollectionRequest = Schemas['CollectionRequest'];
export type ChangeRecord = Schemas['ChangeRecord'];
export type Changes = Schemas['Changes'];
export type Schedule = Schemas['Schedule'];
export type Schedules = Schemas['Schedules'];
export type ScheduleRequest = Schemas['ScheduleRequest'];
export type Validation = Schemas['Validation'];
export type InputSpec = Schemas['InputView'];

/** A workflow as it is written; fields the console does not know are kept as they are. */
export type Definition = Told<Schemas['Definition'], { name?: string; nodes: NodeDefinition[] }> & {
  ui?: { positions?: Record<string, [number, number]>; [key: string]: Json | undefined };
  [field: string]: unknown;
};
export type NodeDefinition = Told<Schemas['Node'], { inputs?: JsonObject; config?: JsonObject }> & {
  [field: string]: unknown;
};

export type Category = 'input' | 'model' | 'transform' | 'logic' | 'output';
export type BlockInput = Schemas['BlockInput'];
export type BlockOutput = Schemas['BlockOutput'];
export type Block = Told<
  Schemas['Block'],
  { category: Category; config: Schema; examples: { title: string; node: NodeDefinition }[] }
>;
export type Blocks = Told<Schemas['Blocks'], { blocks: Block[] }>;

/** The JSON Schema of a block's settings, as far as forms are made from it. */
export type Schema = {
  type?: string | string[];
  title?: string;
  description?: string;
  default?: Json;
  enum?: Json[];
  enumDescriptions?: (string | null)[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
  items?: Schema;
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  required?: string[];
  anyOf?: Schema[];
  oneOf?: Schema[];
};

export type StoredBlob = Schemas['StoredBlob'];
export type Worker = Schemas['Worker'];
export type Workers = Schemas['Workers'];
export type Model = Schemas['Model'];
export type Models = Schemas['Models'];
export type ModelRequest = Schemas['ModelRequest'];
export type ImageInput = Schemas['ImageInput'];
export type Preloaded = Schemas['Preloaded'];
export type Job = Schemas['JobRecord'];
export type JobPage = Schemas['JobPage'];
export type DeadLetter = Schemas['DeadLetter'];
export type DeadLetters = Schemas['DeadLetters'];
export type QueueDepth = Schemas['QueueDepth'];
export type Queues = Schemas['Queues'];
export type Kpi = Schemas['Kpi'];
export type Stats = Schemas['Stats'];

export type ApiKey = Schemas['ApiKey'];
export type Keys = Schemas['Keys'];
export type KeyMade = Schemas['KeyMade'];
export type Scope = Schemas['Scope'];
export type Session = Schemas['Session'];
export type WhoAmI = Schemas['WhoAmI'];
