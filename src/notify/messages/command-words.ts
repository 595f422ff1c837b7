/** ` --project=shop`, or nothing when it is about no single project. */
export function onProject({ project }: { readonly project?: string }): string {
  return project === undefined ? '' : ` --project=${project}`
}

/** ` --vault=box`, or nothing when it is about no single vault. */
export function onVault({ vault }: { readonly vault?: string }, option = '--vault'): string {
  return vault === undefined ? '' : ` ${option}=${vault}`
}
