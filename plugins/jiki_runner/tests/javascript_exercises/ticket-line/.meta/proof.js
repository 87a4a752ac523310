export const serve = async (people, tell) => {
  const served = [];
  for (const person of people) {
    await tell(person);
    served.push(person);
  }
  return served;
};
