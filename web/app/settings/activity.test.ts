import { describe, expect, it } from 'vitest';
import type { ActivityRow } from '../../client/schema';
import { eventName } from '../events';
import { byWhom } from './activity';

const row = (more: Partial<ActivityRow>): ActivityRow => ({
  id: 1, at: '2026-11-29T18:00:00.000Z', action: 'login.ok', own: true, address: null, session: null, device: '', times: 1, ...more,
});

describe('security activity', () => {
  it('has a name for every event, also for unknown ones', () => {
    expect(eventName('login.failed')).toBe('Failed to log in');
    expect(eventName('mfa.added')).toBe('Second factor added');
    expect(eventName('thing.made')).toBe('Thing made');
  });

  it('says who did it and how often', () => {
    expect(byWhom(row({}))).toBe('');
    expect(byWhom(row({ own: null, times: 12 }))).toBe('12 times');
    expect(byWhom(row({ own: false }))).toBe('by an admin');
  });
});
