import { defineErrors } from '#base'

export const apiError = defineErrors({
  'api.not-listening': {
    kind: 'unavailable',
    message: 'Nothing can be listened for at {address}: {reason}',
    hint: 'See whether another program listens there (`ss -ltnp`), and whether the address is one of this machine; change `serve.listen`.',
  },
})
