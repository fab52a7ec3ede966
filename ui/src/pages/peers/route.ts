import { iconListener } from '@/icons'
import { definePages } from '@/router/page'

export default definePages({
  path: '/peers',
  name: 'peers',
  title: 'peers.title',
  component: () => import('./PeersPage.vue'),
  menu: { section: 'configuration', order: 1, icon: iconListener },
})
