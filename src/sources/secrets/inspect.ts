import type { RawPath } from '../raw-path.ts'

const examples = /\.(?:example|sample|template|dist|defaults?)$/i

const secretNames =
  /^(?:\.env(?:\..+)?|.+\.env|\.npmrc|\.yarnrc|\.netrc|\.htpasswd|\.pgpass|\.my\.cnf|auth\.json|credentials\.json|service-account.*\.json|id_(?:rsa|dsa|ecdsa|ed25519)|.+\.(?:pem|key|p12|pfx|p8|jks|keystore|crt|cer|kdbx)|.+\.local\.(?:json|ya?ml|toml|js|cjs|mjs|ts))$/i

/** Settings, keys and certificates, by their names; examples of such files are ordinary files. */
export function maybeSecret(names: readonly RawPath[]): RawPath[] {
  return names.filter((name) => secretNames.test(name) && !examples.test(name))
}
