import { defineCommand, positional } from '../command.ts'
import { oneOf } from '../parsers.ts'
import { shells } from '../shells.ts'

export const completion = defineCommand({
  examples: [
    'bewaar completion bash > /etc/bash_completion.d/bewaar',
    'bewaar completion zsh > ~/.zfunc/_bewaar',
    'bewaar completion fish > ~/.config/fish/completions/bewaar.fish',
  ],
  input: { shell: positional('shell', oneOf(shells), { help: 'bash, zsh or fish' }) },
  run: (context, { shell }) => context.completionScript(shell),
  render: (script) => script.split('\n'),
})
