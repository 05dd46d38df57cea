import type { Problem } from './types';

/** Where the api is: the console is served by it. */
export const API = '/api/v1';

/** An error answer of the api, or the lack of any answer (`status` 0). */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail || problem.title);
    this.name = 'ProblemError';
    this.problem = problem;
  }

  get status(): number {
    return this.problem.status;
  }
}

/** Whether what was asked for is not there, or no longer. */
export function isMissing(error: unknown): boolean {
  return error instanceof ProblemError && [404, 410].includes(error.status);
}

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Sent as JSON, unless it is a Blob, which is sent as it is. */
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

const unauthorised = new Set<() => void>();

/** Calls `listener` whenever the server asks for a key. The session itself is a cookie that pages cannot read. */
export function onUnauthorised(listener: () => void): () => void {
  unauthorised.add(listener);
  return () => unauthorised.delete(listener);
}

/** The answer's JSON; throws a `ProblemError` for anything but success. */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const response = await send(path, options);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

/** The answer itself, for callers that need its headers. */
export async function send(path: string, options: RequestOptions = {}): Promise<Response> {
  const { method = 'GET', body, headers = {}, signal } = options;
  let response: Response;
  try {
    response = await fetch(`${API}${path}`, {
      method,
      headers: { accept: 'application/json', ...bodyType(body), ...headers },
      body: encode(body),
      signal,
      credentials: 'same-origin',
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ProblemError(unreachable(path));
  }
  if (response.ok) return response;
  const problem = await readProblem(response, path);
  if (response.status === 401) unauthorised.forEach(listener => listener());
  throw new ProblemError(problem);
}

function encode(body: unknown): BodyInit | undefined {
  if (body === undefined) return undefined;
  return body instanceof Blob ? body : JSON.stringify(body);
}

function bodyType(body: unknown): Record<string, string> {
  if (body === undefined) return {};
  return {
    'content-type': body instanceof Blob ? body.type || 'application/octet-stream' : 'application/json',
  };
}

/** What a problem has to have that the server did not make. */
const NAMELESS = { type: 'about:blank', request_id: '', trace_id: '' };

async function readProblem(response: Response, path: string): Promise<Problem> {
  try {
    return (await response.json()) as Problem;
  } catch {
    return {
      ...NAMELESS,
      instance: path,
      title: response.statusText || 'The server answered with an error',
      status: response.status,
      detail: `The server answered ${response.status} without saying why.`,
      code: 'HTTP_ERROR',
      retryable: response.status >= 500,
    };
  }
}

function unreachable(path: string): Problem {
  return {
    ...NAMELESS,
    instance: path,
    title: 'The server cannot be reached',
    status: 0,
    detail: 'No answer came from the Millrace server. It may be restarting.',
    code: 'UNREACHABLE',
    retryable: true,
  };
}
