import { defineErrors } from '#base'

export const notifyError = defineErrors({
  'channel.unavailable': {
    kind: 'unavailable',
    message: 'The message did not reach {place}: {reason}',
    hint: 'It is tried again by itself for a day. Run `bewaar notify test` to see whether it works again.',
  },
  'channel.refused': {
    kind: 'denied',
    message: 'The message was refused by {place}: {reason}',
    hint: 'Mend what it says under `notify` in the configuration, then run `bewaar notify test`.',
  },
  'channel.forbidden': {
    kind: 'denied',
    message: 'Nothing is sent to {place}: {reason}',
    hint: 'Use a public https:// address. For a receiver of your own network set `allow-private: true` beside the address.',
  },
  'channel.invalid': {
    kind: 'invalid',
    message: 'What `notify` gives for {place} cannot be used: {reason}',
    hint: 'Copy the address again from the service, and see that nothing else is in the secret.',
  },
  'channel.missing': {
    kind: 'missing',
    message: 'The configuration has no channel {channel}; it has {channels}',
    hint: 'Add one under `notify`; docs/operate/alarms.md shows them all.',
  },
})
