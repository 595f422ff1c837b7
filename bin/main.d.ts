/** Where bundles are, below the root; and the file there that names the newest and what it was made of. */
export const bundlesFolder: string
export const bundleNote: string

/** What a bundle starts with, in its folder. */
export const bundleMain: string

/** The file there by which `bin/bewaar` starts the newest. */
export const bundleStart: string

/** The Node.js that was installed with Bewaar, absolute; undefined where there is none. */
export function findOwnNode(): string | undefined

/** The file that the program starts with, absolute. */
export function findMain(root: string): string

/** The bundle that is made of what is there, absolute. */
export function findBundle(root: string): string | undefined

/** Size and time of each file, of which one differs when its content does. */
export function noteOf(root: string, paths: readonly string[]): Record<string, string>

/** The options of Node that the program is started with. */
export const nodeOptions: readonly string[]

/** The environment that `main` is started with; what `env` sets stands. */
export function withSettings(env: NodeJS.ProcessEnv, root: string, main: string): NodeJS.ProcessEnv

/** The lines of a shell that start `main`; both are below the root, which the shell knows as `$root`. */
export function startScript(node: string, main: string): string
