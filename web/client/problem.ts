/** A refusal of the server (RFC 9457), or the failure to reach it (`status` 0, `code` "unreachable"). */

export interface ProblemFields {
  status: number;
  code: string;
  detail: string;
  retryAfter?: number | undefined;
  errors?: Record<string, string>;
  /** The whole document: some problems say how to go on. */
  document?: Record<string, unknown>;
}

export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly code: string;
  /** Seconds that the server asked to wait, if it did. */
  readonly retryAfter: number | undefined;
  /** What is wrong with each named field. */
  readonly errors: Record<string, string>;
  /** The whole document, empty if there was none. */
  readonly document: Record<string, unknown>;

  constructor(fields: ProblemFields) {
    super(fields.detail);
    this.status = fields.status;
    this.code = fields.code;
    this.retryAfter = fields.retryAfter;
    this.errors = fields.errors ?? {};
    this.document = fields.document ?? {};
  }

  /** What a person can read about it. */
  get detail(): string {
    return this.message;
  }

  /**
   * True when the same request may succeed later without a change: no connection, too fast, overloaded,
   * draining.
   */
  get temporary(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

/**
 * The problem that an unsuccessful answer carries; an answer of some proxy without a document gets a plain
 * one.
 */
export async function problemOf(response: Response): Promise<Problem> {
  const document: unknown = await response.json().catch(() => null);
  const fields = isRecord(document) ? document : {};
  return new Problem({
    status: response.status,
    code: text(fields['code']) ?? `http_${response.status}`,
    detail: text(fields['detail']) ?? text(fields['title']) ?? `The server answered ${response.status}.`,
    retryAfter: retryAfter(response.headers),
    errors: fieldErrors(fields['errors']),
    document: fields,
  });
}

export function unreachable(): Problem {
  return new Problem({ status: 0, code: 'unreachable', detail: 'The server cannot be reached.' });
}

/** Seconds in Retry-After, given as a number or as a date. */
export function retryAfter(headers: Headers, now = Date.now()): number | undefined {
  const value = headers.get('Retry-After');
  if (value === null) return undefined;
  const seconds = /^\d+(\.\d+)?$/.test(value) ? Number(value) : (Date.parse(value) - now) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}

/** `[{field, detail}]` or `{field: detail}`, by field. */
function fieldErrors(errors: unknown): Record<string, string> {
  if (!Array.isArray(errors)) return isRecord(errors) ? mapText(Object.entries(errors)) : {};
  return mapText(
    errors
      .filter(isRecord)
      .map((error) => [text(error['field']) ?? text(error['name']) ?? '', error['detail'] ?? error['message']]),
  );
}

function mapText(pairs: [string, unknown][]): Record<string, string> {
  return Object.fromEntries(pairs.map(([field, detail]) => [field, text(detail) ?? 'Not valid.']));
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** A problem for a person to read, from whatever was thrown. */
export function asProblem(error: unknown): Problem {
  return error instanceof Problem
    ? error
    : new Problem({ status: 0, code: 'unexpected', detail: String(error) });
}

/** What it says, as plain fields: an error does not survive the way to another tab or into storage. */
export function fieldsOf({ status, code, detail, retryAfter, errors }: Problem): ProblemFields {
  return { status, code, detail, retryAfter, errors };
}
