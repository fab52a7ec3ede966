import { iconSettings } from '@/icons'
import { definePages } from '@/router/page'

export default definePages({
  path: '/system',
  name: 'system',
  title: 'system.title',
  component: () => import('./SystemPage.vue'),
  menu: { section: 'system', order: 9, icon: iconSettings },
})
