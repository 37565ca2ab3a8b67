/** The fields that a problem is about, even if only its code tells. Pure. */
import type { Problem } from '../client';

const BY_CODE: Record<string, string> = { name_taken: 'name', bad_invite: 'invite' };

export function wrongFields(problem: Problem | null): Record<string, string> {
  if (!problem) return {};
  const field = BY_CODE[problem.code];
  return field ? { ...problem.errors, [field]: problem.detail } : problem.errors;
}
