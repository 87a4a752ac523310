import { every } from './clockwork';

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('every', () => {
  test('calls again and again', async () => {
    const action = jest.fn();
    const stop = every(2, action);
    await wait(60);
    stop();
    expect(action.mock.calls.length).toBeGreaterThan(2);
  });

  test('stops when told to', (done) => {
    let count = 0;
    const stop = every(1, () => {
      count += 1;
      if (count === 3) stop();
    });
    setTimeout(() => done(count === 3 ? undefined : new Error(`${count} calls`)), 60);
  });
});
