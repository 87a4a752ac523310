export const every = (milliseconds, action) => {
  const timer = setInterval(action, milliseconds);
  return () => clearInterval(timer);
};
