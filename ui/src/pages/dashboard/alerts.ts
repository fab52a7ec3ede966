/*
 * Where an alert leads: to the jobs that it is about, if it is about jobs.
 */
interface About {
  kind: string
  subject: string | null
}

/** What the queue is to be filtered by; null: it is about something else. */
export function jobsOf({ kind, subject }: About): Record<string, string> | null {
  if (subject === null) return null
  switch (kind) {
    case 'dead_letter': return { destination: subject, state: 'failed' }
    case 'destination_down':
    case 'queue_old': return { destination: subject, state: 'waiting' }
    default: return null
  }
}
