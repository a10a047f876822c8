/** Parts of a name that nothing else contains. */
const telling = /passw(?:or)?d|passphrase|secret|api_?key|credential|private_?key|access_?key|auth_?key|token/i;
const words: ReadonlySet<string> = new Set(
  `bearer cert certificate certs cookie cvc cvv hash hashes htpasswd jwk jwks jwt mfa nonce oauth otp pass passcode
   pem pin pins pwd salt session sessions totp u2f webauthn`.split(/\s+/),
);
/** Two words that only together are telling. */
const pairs =
  /\b(?:access|activation|auth|license|onetime|registration|reset|security|verification) code\b|\b(?:client|encryption|license|public|session|shared|signing|transaction|webhook) key\b|\bpw$/;

const settings =
  /\b(?:config|configs|configuration|configurations|env|globals|options|parameters|preferences|prefs|properties|settings|vars)\b/;
const settingsValue = /\b(?:config|configuration|content|data|env|json|options|settings|val|value|values)$/;

/** `camelCase`, `snake_case` and digits, in lower case: `smtpPass2` is `smtp pass 2`. */
const wordsOf = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/([A-Za-z])(\d)/g, "$1 $2")
    .replace(/[^A-Za-z0-9]+/g, " ")
    .trim()
    .toLowerCase();

/** Whether a column that nobody has judged is named like one that opens something. */
export const isSecretName = (column: string): boolean => {
  const text = wordsOf(column);
  return telling.test(column) || pairs.test(text) || text.split(" ").some((word) => words.has(word));
};

/** Whether a table that nobody has judged is named like one that exists for credentials. */
export const isSecretTableName = (table: string): boolean => telling.test(table) || /\boauth\b/.test(wordsOf(table));

/** Whether a column that nobody has judged is the value of a setting, as modules keep passwords of their services. */
export const isSettingsValue = (table: string, column: string): boolean => {
  const text = wordsOf(column);
  return settingsValue.test(text) && (settings.test(wordsOf(table)) || settings.test(text));
};
