import { iconDashboard } from '@/icons'
import { definePages } from '@/router/page'

export default definePages({
  path: '/',
  name: 'dashboard',
  title: 'dashboard.title',
  component: () => import('./DashboardPage.vue'),
  menu: { section: 'overview', order: 1, icon: iconDashboard },
})
