import { mount } from '@vue/test-utils'
import { expect, it } from 'vitest'
import { defineComponent, h, nextTick } from 'vue'
import { useReturnFocus } from '@/composables/useReturnFocus'

const Dialog = defineComponent({
  setup() {
    useReturnFocus()
    return () => h('input')
  },
})

async function closed(elsewhere: boolean): Promise<string | undefined> {
  document.body.innerHTML = '<button id="opener"></button><button id="other"></button>'
  document.getElementById('opener')?.focus()
  const dialog = mount(Dialog, { attachTo: document.body })
  dialog.find('input').element.focus()
  if (elsewhere) document.getElementById('other')?.focus()
  dialog.unmount()
  await nextTick()
  await nextTick()
  return document.activeElement?.id
}

it('the focus goes back to what opened a dialog, if nothing else has it', async () => {
  expect(await closed(false)).toBe('opener')
  expect(await closed(true)).toBe('other')
})
