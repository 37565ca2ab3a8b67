/** The fields that a problem is about, even if only its code tells; and its texts in the language of the app. Pure. */
import type { Problem } from '../client';
import type { ProblemTexts } from '../client/problem';
import type { Messages } from './messages';

const BY_CODE: Record<string, string> = { name_taken: 'name', emoji_name_taken: 'name', bad_invite: 'invite' };

export function wrongFields(problem: Problem | null): Record<string, string> {
  if (!problem) return {};
  const field = BY_CODE[problem.code];
  return field ? { ...problem.errors, [field]: problem.detail } : problem.errors;
}

/** Return the texts for problems in the language of these messages. */
export function problemTexts({ codes, fields, status: answered }: Messages['problems']): ProblemTexts {
  return {
    detail({ code, status }) {
      return Object.hasOwn(codes, code) ? codes[code] : /^http_/.test(code) ? answered(status) : undefined;
    },
    field(text) {
      const numbers = text.match(/\d+/g) ?? [];
      const key = text.replace(/\d+/g, '#');
      return Object.hasOwn(fields, key) ? fields[key]?.replace(/#/g, () => numbers.shift() ?? '#') : undefined;
    },
  };
}
