import { expect, test } from 'vitest'
import { parseProperties } from '../../../../broker/config/properties.ts'
import { javaDouble } from '../../../../broker/config/values.ts'

function read(text: string) {
  return Object.fromEntries(parseProperties(text).properties)
}

test.each([
  ['a=1\nb: 2\nc 3', { a: '1', b: '2', c: '3' }],
  ['# note\n! note\n\n  a = 1 ', { a: '1 ' }],
  ['a=1,\\\n   2,\\\r\n   3', { a: '1,2,3' }],
  ['a=x\\\\\nb=2', { a: 'x\\', b: '2' }],
  ['# not continued \\\na=1', { a: '1' }],
  ['a\\ b\\:c\\=d=1', { 'a b:c=d': '1' }],
  ['a=\\u00e4\\t\\n\\q', { a: 'ä\t\nq' }],
  ['a==1', { a: '=1' }],
  ['a', { a: '' }],
  ['a=1\na=2', { a: '2' }],
  ['listeners=PLAINTEXT://:9092', { listeners: 'PLAINTEXT://:9092' }],
])('a properties file %j means %j', (text, properties) => {
  expect(read(text)).toEqual(properties)
})

test('a broken unicode escape is reported', () => {
  expect(parseProperties('a=\\u12').errors).toHaveLength(1)
})

test.each([
  [0.5, '0.5'],
  [100, '100.0'],
  [1e7, '1.0E7'],
  [12_345_678.9, '1.23456789E7'],
  [0.0001, '1.0E-4'],
  [Number.MAX_VALUE, '1.7976931348623157E308'],
])('the double %d is shown as %s', (value, text) => {
  expect(javaDouble(value)).toBe(text)
})
