/** Frames to one broker, and how the client calls the errors in its answers. */
import { KafkaError } from '../../client/index.ts'
import { type NegotiatedClient, negotiatedClient } from '../support/raw-client.ts'

/** The client's name of the code; of no answer at all that of UNKNOWN. */
export function named(code: number | undefined): string {
  return new KafkaError(code ?? -1).name()
}

export async function toBroker<T>(
  address: string,
  call: (client: NegotiatedClient) => Promise<T>,
): Promise<T> {
  const client = await negotiatedClient(address)
  try {
    return await call(client)
  } finally {
    client.close()
  }
}
