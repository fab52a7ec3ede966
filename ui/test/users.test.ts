import { DOMWrapper, flushPromises, mount } from '@vue/test-utils'
import { QSelect } from 'quasar'
import { describe, expect, it, vi } from 'vitest'
import SecretDialog from '@/components/SecretDialog.vue'
import WordList from '@/components/WordList.vue'
import { agentName, isOwn } from '@/pages/users/sessions'
import { createArgs, draftOf, limitsOf, updateArgs, userLook, type User } from '@/pages/users/users'

const cara: User = {
  username: 'cara', role: 'viewer', scope_calling_aes: ['CT1'], scope_institutions: null, disabled: false, must_change_password: false, db_role: null,
  password_changed_at: '2026-01-01T00:00:00+00:00', created_at: '2026-01-01T00:00:00+00:00', last_login_at: null, failed_logins: 0, locked_until: null,
}
const page = () => new DOMWrapper(document.body)

describe('a user', () => {
  it('is in the state that keeps him out most', () => {
    const label = (parts: Partial<User>) => userLook({ ...cara, ...parts }).label
    expect(label({})).toBe('active')
    expect(label({ must_change_password: true })).toBe('has to choose a password')
    expect(label({ must_change_password: true, locked_until: '2026-01-01T00:00:00Z' })).toBe('has to wait')
    expect(label({ locked_until: '2026-01-01T00:00:00Z', disabled: true })).toBe('disabled')
  })
  it('is limited to all that is named', () => {
    expect(limitsOf({ scope_calling_aes: ['CT1'], scope_institutions: ['North'] })).toEqual(['CT1', 'North'])
    expect(limitsOf({ scope_calling_aes: null, scope_institutions: null })).toEqual([])
  })
  it('is sent with the limits of the form and no others', () => {
    expect(updateArgs(draftOf(cara))).toEqual({ username: 'cara', role: 'viewer', scope_calling_aes: ['CT1'], scope_institutions: null, db_role: null, unlimited: true })
  })
  it('has no limits that the form does not show', () => {
    expect(createArgs({ ...draftOf(cara), role: 'operator' })).toMatchObject({ role: 'operator', scope_calling_aes: null })
    expect(createArgs({ ...draftOf(cara), scope_calling_aes: [], db_role: ' ct ' })).toMatchObject({ scope_calling_aes: null, db_role: 'ct' })
  })
  it('is copied into a form, not shared with it', () => {
    draftOf(cara).scope_calling_aes.push('MR1')
    expect(cara.scope_calling_aes).toEqual(['CT1'])
  })
})

describe('a session', () => {
  const session = { username: 'olga', expires_at: '2026-11-25T20:00:00.123456+00:00', may_idle: false }
  const me = { username: 'olga', expires_at: '2026-11-25T20:00:00.123456+00:00' }

  it('is the own one if it is of the same user and ends at the same time', () => {
    expect(isOwn(session, me)).toBe(true)
    expect(isOwn({ ...session, username: 'anna' }, me)).toBe(false)
    expect(isOwn({ ...session, expires_at: '2026-11-25T20:00:01+00:00' }, me)).toBe(false)
    expect(isOwn({ ...session, may_idle: true }, me)).toBe(false)
    expect(isOwn(session, null)).toBe(false)
  })
  it('says which browser it is, however many it claims to be', () => {
    expect(agentName('Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0')).toBe('Firefox 128 on Linux')
    expect(agentName('Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36')).toBe('Chrome 126 on Windows')
    expect(agentName('Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0')).toBe('Edge 126 on Windows')
    expect(agentName('Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1')).toBe('Safari 17 on iOS')
    expect(agentName('curl/8.5.0')).toBe('curl/8.5.0')
  })
})

describe('a secret that is shown once', () => {
  const props = { secret: 'abcde-01234', title: 'Password', text: 'Hand it over.' }
  const button = (text: string) => page().findAll('button').find((found) => found.text().includes(text))

  it('is copied', async () => {
    const writeText = vi.fn(() => Promise.resolve())
    vi.stubGlobal('navigator', { ...navigator, clipboard: { writeText } })
    const dialog = mount(SecretDialog, { props })
    await flushPromises()
    expect(page().find('[data-test=secret]').text()).toBe('abcde-01234')
    await button('Copy')?.trigger('click')
    await flushPromises()
    expect(writeText).toHaveBeenCalledWith('abcde-01234')
    expect(button('Copied')).toBeDefined()
    await button('I have it')?.trigger('click')
    expect(dialog.emitted('close')).toHaveLength(1)
    dialog.unmount()
  })
  it('says so if it could not be', async () => {
    vi.stubGlobal('navigator', { ...navigator, clipboard: { writeText: () => Promise.reject(new Error('denied')) } })
    const dialog = mount(SecretDialog, { props })
    await flushPromises()
    await button('Copy')?.trigger('click')
    await flushPromises()
    expect(page().find('[role=alert]').text()).toContain('does not allow copying')
    expect(button('Copied')).toBeUndefined()
    dialog.unmount()
  })
})

describe('several words in a field', () => {
  it('are taken when the field is left, once each', async () => {
    const list = mount(WordList, { props: { modelValue: ['CT1'], label: 'Calling AE titles' }, attachTo: document.body })
    const input = list.find('input')
    await input.trigger('focus')
    await input.setValue(' MR1 ')
    list.getComponent(QSelect).vm.$emit('blur')
    expect(list.emitted('update:modelValue')).toEqual([[['CT1', 'MR1']]])
    await input.setValue('CT1')
    list.getComponent(QSelect).vm.$emit('blur')
    expect(list.emitted('update:modelValue')).toHaveLength(1)
    list.unmount()
  })
})
