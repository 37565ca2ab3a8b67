import { expect, it } from 'vitest';
import { gist } from './message-preview';

it('says what a message carries where it says nothing itself', () => {
  const files = [{ id: 1, name: 'plan.pdf', size: 1, type: 'application/pdf' }];
  expect(gist({ body: '**look** here', files })).toBe('look here');
  expect(gist({ body: '', files })).toBe('📎 plan.pdf');
  expect(gist({ body: '' })).toBe('');
});
