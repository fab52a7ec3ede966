import { flushPromises, mount } from '@vue/test-utils'
import { describe, expect, it } from 'vitest'
import type { Row } from '@/api/client'
import TaskState from '@/components/TaskState.vue'
import { taskArguments, taskFailures, taskOutcome, taskTitle } from '@/lib/tasks'

describe('a task in words', () => {
  it('says what it has done, as the verb counts it', () => {
    expect(taskOutcome('retry', { revived: 1200, hastened: 3 })).toBe('1,200 put back into the queue, 3 made due at once.')
    expect(taskOutcome('cancel', { cancelled: 1 })).toBe('1 job cancelled.')
    expect(taskOutcome('move', { moved: 5, being_sent: 2 })).toBe('5 moved; 2 being sent, which stay.')
  })
  it('says nothing before it has begun, or of what it does not know', () => {
    expect(taskOutcome('cancel', {})).toBe('')
    expect(taskOutcome('something new', { done: 1 })).toBe('')
    expect(taskTitle('something new')).toBe('something new')
  })
  it('says with what it was started, in the words of the filters', () => {
    expect(taskArguments({ patient: 'Doe', destination: 'pacs', state: 'failed', reason_code: 'backoff', priority: 0 })).toBe(
      'Destination: pacs · State: failed · Reason: waits after a refusal · Patient: Doe · Priority: 0',
    )
    expect(taskArguments({ study_instance_uids: ['1', '2', '3', '4'], to_destination: null, reason_code: 'new one' })).toBe('Reason: new one · Studies: 4')
    expect(taskArguments('nonsense')).toBe('')
  })
  it('tells what failed, and why', () => {
    expect(taskFailures({ failed: 2, failures: [{ target: 3, error: 'no such thing' }] })).toEqual({ failed: 2, told: [{ target: '3', error: 'no such thing' }] })
    expect(taskFailures({ jobs: 5 })).toEqual({ failed: 0, told: [] })
  })
})

describe('how far a task is', () => {
  const task: Row<'task'> = {
    id: 17, kind: 'cancel', arguments: {}, started_by: 'olga', created_at: '2026-11-25T18:00:00Z', started_at: null, finished_at: null,
    state: 'running', done: 500, total: 2000, message: null, result: { cancelled: 498, failed: 2, failures: [{ target: 3, error: 'no such thing' }] },
  }

  it('is a share of all, with what came of it, and what failed', async () => {
    const state = mount(TaskState, { props: { task } })
    expect(state.text()).toContain('500 of 2,000')
    expect(state.find('[role=progressbar]').attributes('aria-valuenow')).toBe('0.25')
    expect(state.find('[data-test=outcome]').text()).toBe('498 jobs cancelled.')
    expect(state.find('details').text()).toContain('3: no such thing')
    await state.setProps({ task: { ...task, state: 'done', done: 2000 } })
    await flushPromises()
    expect(state.find('[role=progressbar]').exists()).toBe(false)
  })
  it('is not to be cancelled by who may not', () => {
    expect(mount(TaskState, { props: { task } }).find('button').exists()).toBe(false)
  })
})
