function isSecretKnock(knock) {
  return true;
}

// This line hands your function to the tests. Leave it as it is.
module.exports = { isSecretKnock };
