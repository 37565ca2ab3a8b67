/** An error answer of the server (RFC 9457), or a failed connection (`status` 0, `code` "unreachable"). */

export interface ProblemFields {
  status: number;
  code: string;
  detail: string;
  retryAfter?: number | undefined;
  errors?: Record<string, string>;
  /** The complete document. Some problems say how to continue. */
  document?: Record<string, unknown>;
}

/** Texts for problems in another language. `undefined` stands for the text of the server. */
export interface ProblemTexts {
  detail(problem: Pick<Problem, 'status' | 'code' | 'retryAfter'>): string | undefined;
  field(text: string): string | undefined;
}

export class Problem extends Error {
  /** The texts that the app sets, if its language is not the server's. */
  static texts: ProblemTexts | null = null;

  override readonly name = 'Problem';
  readonly status: number;
  readonly code: string;
  /** Seconds that the server asked to wait, if it did. */
  readonly retryAfter: number | undefined;
  /** The server's text for each invalid field. */
  readonly fields: Record<string, string>;
  /** The complete document, or an empty object. */
  readonly document: Record<string, unknown>;

  constructor(fields: ProblemFields) {
    super(fields.detail);
    this.status = fields.status;
    this.code = fields.code;
    this.retryAfter = fields.retryAfter;
    this.fields = fields.errors ?? {};
    this.document = fields.document ?? {};
  }

  /** A text to show to the user. */
  get detail(): string {
    return Problem.texts?.detail(this) ?? this.message;
  }

  /** A text to show to the user for each invalid field. */
  get errors(): Record<string, string> {
    const { texts } = Problem;
    if (!texts) return this.fields;
    return Object.fromEntries(Object.entries(this.fields).map(([field, text]) => [field, texts.field(text) ?? text]));
  }

  /**
   * Return true if the same request may succeed later without a change: no connection, too fast, overloaded,
   * draining.
   */
  get temporary(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

/** Return the problem in an error answer. A proxy's answer without a document becomes a plain problem. */
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

/** Return the seconds in Retry-After, which is a number or a date. */
export function retryAfter(headers: Headers, now = Date.now()): number | undefined {
  const value = headers.get('Retry-After');
  if (value === null) return undefined;
  const seconds = /^\d+(\.\d+)?$/.test(value) ? Number(value) : (Date.parse(value) - now) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}

/** Return the errors by field, from `[{field, detail}]` or `{field: detail}`. */
export function fieldErrors(errors: unknown): Record<string, string> {
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

/** Return a problem that can be shown to a user, from any thrown value. */
export function asProblem(error: unknown): Problem {
  return error instanceof Problem
    ? error
    : new Problem({ status: 0, code: 'unexpected', detail: String(error) });
}

/** Return a problem's plain fields: an Error object cannot be sent to another tab or stored. */
export function fieldsOf({ status, code, message, retryAfter, fields }: Problem): ProblemFields {
  return { status, code, detail: message, retryAfter, errors: fields };
}
