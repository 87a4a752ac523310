import { serve } from './ticket-line';

const later = (value) => new Promise((resolve) => setTimeout(() => resolve(value), 5));

describe('serve', () => {
  test('resolves to everybody who was served', async () => {
    await expect(serve(['Ann', 'Bob'], later)).resolves.toEqual(['Ann', 'Bob']);
  });

  test('tells one after the other', async () => {
    const told = [];
    const tell = async (person) => {
      told.push(`${person} comes`);
      await later();
      told.push(`${person} goes`);
    };
    await serve(['Ann', 'Bob'], tell);
    expect(told).toEqual(['Ann comes', 'Ann goes', 'Bob comes', 'Bob goes']);
  });

  test('tells each person once', async () => {
    const tell = jest.fn();
    await serve(['Ann', 'Bob'], tell);
    expect(tell).toHaveBeenCalledTimes(2);
    expect(tell).toHaveBeenCalledWith('Bob');
  });

  test('stops when somebody cannot be told', async () => {
    const tell = (person) => (person === 'Bob' ? Promise.reject(new Error('asleep')) : later());
    await expect(serve(['Ann', 'Bob', 'Cid'], tell)).rejects.toThrow('asleep');
  });
});
