/**
 * Turns the references of the configuration into secrets: from the environment, a private file, a program, or
 * systemd; splits a secret into shares, and joins them. It must never log one, cache one on disk, or hand out a bare string.
 */
export { credentialError } from './errors.ts'
export { joinShares, mostShares, sharesMissing, splitSecret } from './shares.ts'
export { isShare } from './share-text.ts'
export { resolveSecret, type SecretSource } from './resolve.ts'
