function isSecretKnock(knock) {
  if (knock.length < 3) {
    return false;
  }
  for (let beat = 0; beat < knock.length; beat++) {
    if (knock[beat] !== knock[knock.length - 1 - beat]) {
      return false;
    }
  }
  return true;
}

module.exports = { isSecretKnock };
