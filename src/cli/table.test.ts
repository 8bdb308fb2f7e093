import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTable } from './table.ts';

test('columns are as wide as their widest cell, and lines have no trailing blanks', () => {
  assert.equal(
    formatTable([
      ['ID', 'NAME'],
      ['1', 'long name'],
      ['12345', ''],
    ]),
    'ID     NAME\n1      long name\n12345\n',
  );
});
