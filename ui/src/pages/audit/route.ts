import { iconAudit } from '@/icons'
import { definePages } from '@/router/page'

export default definePages({
  path: '/audit',
  name: 'audit',
  title: 'audit.title',
  component: () => import('./AuditPage.vue'),
  role: 'admin',
  menu: { section: 'system', order: 5, icon: iconAudit },
})
