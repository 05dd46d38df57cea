/** The JSON of the REST api and of its events, as the console reads it. Times are milliseconds since the Unix epoch. */
import type { components } from './schema.gen';

type Schemas = components['schemas'];

export type ExecutionStatus = Schemas['ExecutionStatus'];
export type NodeStatus = Schemas['NodeStatus'];
export type Priority = Schemas['Priority'];
export type Progress = Schemas['Progress'];
export type QueueDepth = Schemas['QueueDepth'];
export type Admission = Schemas['LineView'];
export type Job = Schemas['JobRecord'];
export type Kpi = Schemas['Kpi'];
export type Stats = Schemas['Stats'] & {
  from: number;
  to: number;
  bucket_ms: number;
  costs: Schemas['Costs'];
  workers: Schemas['Fleet'] | null;
  queues: QueueDepth[] | null;
};

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export interface Fault {
  code: string;
  node?: string;
  pointer: string;
  message: string;
  hint?: string;
}

/** RFC 9457. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance?: string;
  code: string;
  retryable: boolean;
  errors?: Fault[];
  request_id?: string;
  trace_id?: string;
}

export interface JobError {
  kind: string;
  message: string;
  retryable: boolean;
  node?: string;
  pointer?: string;
}

export interface JobMetrics {
  inference_job_id?: string;
  queue_wait_ms: number;
  fetch_ms: number;
  decode_ms: number;
  preprocess_ms: number;
  batch_wait_ms: number;
  inference_time_ms: number;
  postprocess_ms: number;
  upload_ms: number;
  model_load_time_ms: number;
  total_time_ms: number;
  cached: boolean;
  batch_size: number;
  worker_id?: string;
  device?: string;
  gpu_model?: string;
}

export interface NodeRun {
  node_id: string;
  /** `[3,0]` inside loops; absent outside. */
  path?: string;
  block: string;
  status: NodeStatus;
  attempt: number;
  outputs?: JsonObject;
  error?: JobError;
  metrics?: JobMetrics;
  queued_at?: number;
  started_at?: number;
  completed_at?: number;
  worker_id?: string;
  skipped_ports?: string[];
  /** The run whose result this is, where it was not made in this one. */
  origin?: string;
}

export interface Snapshot {
  execution_id: string;
  workflow_id: string | null;
  status: ExecutionStatus;
  epoch: number;
  seq: number;
  progress: Progress;
  created_at: number;
  started_at: number | null;
  completed_at: number | null;
  outputs: JsonObject | null;
  error: JobError | null;
  nodes: NodeRun[];
  nodes_omitted?: number;
}

/** A CloudEvents envelope. */
export interface EventEnvelope {
  id: string;
  type: string;
  time: string;
  source: string;
  subject?: string;
  traceparent?: string;
  executionid?: string;
  workflowid?: string;
  nodeid?: string;
  path?: string;
  epoch?: number;
  seq?: number;
  attempt?: number;
  data: JsonObject;
}

export interface ExecutionSummary {
  execution_id: string;
  workflow_id: string | null;
  version: number | null;
  status: ExecutionStatus;
  labels: Record<string, string>;
  created_at: number;
  started_at: number | null;
  completed_at: number | null;
  duration_ms: number | null;
  error_message: string | null;
  batch_id: string | null;
  schedule_id?: string;
  rerun_of?: { execution_id: string; from?: string | null };
  inference_jobs_pending: number;
  inference_jobs_completed: number;
  inference_jobs_failed: number;
}

export interface Execution extends Omit<ExecutionSummary, 'error_message'> {
  priority?: Priority;
  pool?: string | null;
  progress: Progress;
  input?: JsonObject;
  outputs: JsonObject | null;
  error: JobError | null;
  node_metrics: Record<string, JobMetrics>;
  cost?: number | null;
  trace_id?: string | null;
  /** The digest under which the definition is a blob. */
  definition?: string;
  epoch: number;
  seq?: number;
  queue?: { place?: number; ahead?: number } & JsonObject;
}

export interface WorkflowSummary {
  id: string;
  name: string;
  version: number;
  created_at: number;
  updated_at: number;
}

export interface WorkflowRecord extends WorkflowSummary {
  latest_version: number;
  definition: Definition;
}

export interface WorkflowVersion {
  version: number;
  definition: string;
  created_at: number;
}

/** A workflow as it is written; fields the console does not know are kept as they are. */
export interface Definition {
  name?: string;
  nodes: NodeDefinition[];
  ui?: { positions?: Record<string, [number, number]>; [key: string]: Json | undefined };
  [field: string]: unknown;
}

export interface NodeDefinition {
  id: string;
  type: string;
  inputs?: JsonObject;
  config?: JsonObject;
  [field: string]: unknown;
}

export interface Schema {
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
}

export type Category = 'input' | 'model' | 'transform' | 'logic' | 'output';

export interface BlockInput {
  name: string;
  kinds: string[];
  required: boolean;
  help: string;
}

export interface BlockOutput {
  name: string;
  kind: string;
  help: string;
}

export interface Block {
  type: string;
  version: number;
  id: string;
  category: Category;
  title: string;
  help: string;
  runs: { by: string; pool?: string; model?: boolean };
  pure: boolean;
  config: Schema;
  inputs: BlockInput[];
  further_inputs: string | null;
  outputs: BlockOutput[];
  outputs_vary: boolean;
  further_outputs: boolean;
  examples: { title: string; node: NodeDefinition }[];
}

export interface InputSpec {
  name: string;
  block: string;
  kind: string;
  required: boolean;
}

export interface Validation {
  valid: true;
  plan: { nodes: number; edges: number; scopes: number };
  inputs: InputSpec[];
}

export interface StoredBlob {
  blob: string;
  bytes: number;
  content_type: string;
  width: number | null;
  height: number | null;
  url: string;
}

/** A worker names a model by its id, or describes it. */
export type ModelName = string | ({ model_id?: string; id?: string } & JsonObject);

export interface Worker {
  worker_id: string;
  state?: string;
  alive: boolean;
  draining?: boolean;
  pools?: string[];
  models?: (string | JsonObject)[];
  warm?: ModelName[];
  loading?: ModelName[];
  inventory?: string[];
  devices?: string[];
  cores?: number;
  memory_bytes?: number;
  memory?: { budget_bytes: number; used_bytes: number; reserved_bytes: number; pressure: string };
  loads?: number;
  evictions?: number;
  running?: number;
  capacity?: number;
  version?: string;
  started_at?: number;
  last_seen: number;
}

export interface Model {
  model_id: string;
  task?: string;
  family?: string;
  source?: string;
  labels?: string[] | Record<string, string>;
  workers?: string[];
  warm_on?: string[];
  [field: string]: unknown;
}
