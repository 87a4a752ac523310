import { describe, expect, test } from '@jest/globals';
import { greet } from './greeting';

describe('greet', () => {
  test('greets the world when nobody is named', () => {
    expect(greet()).toEqual('Hello, world!');
  });

  test('greets who is named', () => {
    expect(greet('Ada')).toEqual('Hello, Ada!');
  });

  test('greets an empty name as it is', () => {
    expect(greet('')).toBe('Hello, !');
  });
});
