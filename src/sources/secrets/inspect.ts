import type { RawPath } from '../raw-path.ts'

const examples = /\.(?:example|sample|template|dist|defaults?)$/i

const wholeNames =
  /^(?:\.env(?:\..+)?|\.npmrc|\.yarnrc|\.netrc|\.htpasswd|\.pgpass|\.my\.cnf|auth\.json|credentials\.json|service-account.*\.json|id_(?:rsa|dsa|ecdsa|ed25519))$/i
/** By itself, because a name is looked through once for it, and not once for each of these endings. */
const endings = /.\.(?:env|pem|key|p12|pfx|p8|jks|keystore|crt|cer|kdbx|local\.(?:json|ya?ml|toml|js|cjs|mjs|ts))$/i

/** Settings, keys and certificates, by their names; examples of such files are ordinary files. */
export function maybeSecret(names: readonly RawPath[]): RawPath[] {
  return names.filter((name) => (wholeNames.test(name) || endings.test(name)) && !examples.test(name))
}
