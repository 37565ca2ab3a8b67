import { expect, test } from 'vitest';
import { addressesIn } from './addresses';

test('addresses are found in lists of any kind, each once', () => {
  expect(addressesIn('ana@example.com, ben@example.com;\nAna Duarte <ana@example.com>\t chloe@example.com')).toEqual([
    'ana@example.com',
    'ben@example.com',
    'chloe@example.com',
  ]);
  expect(addressesIn('  \n nobody ')).toEqual([]);
});
