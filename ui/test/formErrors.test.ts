import { describe, expect, it } from 'vitest'
import { ApiError } from '@/api/error'
import { atField, fieldError, type FormShape } from '@/lib/formErrors'

const destination: FormShape = {
  relation: 'destination',
  fields: ['name', 'host', 'port', 'url', 'tls', 'max_associations', 'max_attempts'],
  about: { tcp_port: 'port', destination_https_has_tls: 'tls' },
}

function refused(code: string, message: string, details: string | null = null): ApiError {
  return new ApiError({ code, message, details, status: 400 })
}

describe('what the server says, at the field', () => {
  it('a constraint is a sentence, and names its field', () => {
    const error = refused('23514', 'new row for relation "destination" violates check constraint "destination_max_associations_must_be_between_1_and_64"', 'Failing row contains (1, pacs, ...).')
    expect(fieldError(error, destination)).toEqual({ field: 'max_associations', message: 'max associations must be between 1 and 64' })
  })
  it('one that names no field says so in general, or where the form knows better', () => {
    const message = (name: string) => `new row for relation "destination" violates check constraint "${name}"`
    expect(fieldError(refused('23514', message('destination_dimse_needs_host_and_ae_title')), destination)).toEqual({ field: null, message: 'dimse needs host and ae title' })
    expect(fieldError(refused('23514', message('destination_https_has_tls')), destination).field).toBe('tls')
    expect(fieldError(refused('23514', message('destination_tls_certificate_has_a_key')), destination).message).toBe('tls certificate has a key')
  })
  it('never shows the failing row', () => {
    const error = refused('23514', 'new row for relation "destination" violates check constraint "destination_name_check"', 'Failing row contains (secret).')
    expect(fieldError(error, destination).message).not.toContain('secret')
  })
  it('a duplicate is about its key', () => {
    const error = refused('23505', 'duplicate key value violates unique constraint "destination_name_key"', 'Key (name)=(pacs) already exists.')
    expect(fieldError(error, destination)).toEqual({ field: 'name', message: 'Key (name)=(pacs) already exists.' })
  })
  it('what is missing', () => {
    const error = refused('23502', 'null value in column "name" of relation "destination" violates not-null constraint')
    expect(fieldError(error, destination)).toEqual({ field: 'name', message: 'This has to be filled in.' })
  })
  it('a domain', () => {
    expect(fieldError(refused('23514', 'value for domain dicomgw.tcp_port violates check constraint "tcp_port_check"'), destination).field).toBe('port')
    const shape = { relation: 'route', fields: ['priority', 'quiet_period'], about: { timeout: 'quiet_period' } }
    expect(fieldError(refused('23514', 'value for domain dicomgw.timeout violates check constraint "timeout_must_be_between_1_second_and_1_day"'), shape)).toEqual({
      field: 'quiet_period', message: 'timeout must be between 1 second and 1 day',
    })
  })
  it('a domain of ours says it in words', () => {
    const error = refused('23514', 'value for domain dicomgw.tcp_port violates check constraint "port_must_be_between_1_and_65535"')
    expect(fieldError(error, destination)).toEqual({ field: 'port', message: 'port must be between 1 and 65535' })
  })
  it('what the caller knows comes first', async () => {
    const caught: unknown = await atField('url', Promise.reject(refused('42703', 'column "port" does not exist'))).catch((error: unknown) => error)
    expect(fieldError(caught as ApiError, destination)).toEqual({ field: 'url', message: 'column "port" does not exist' })
  })
  it('anything else is for the whole form', () => {
    expect(fieldError(refused('42501', 'permission denied'), destination)).toEqual({ field: null, message: 'permission denied' })
  })
})
