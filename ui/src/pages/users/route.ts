import { iconUsers } from '@/icons'
import { definePages } from '@/router/page'

export default definePages(
  {
    path: '/users',
    name: 'users',
    title: 'users.users',
    component: () => import('./UsersPage.vue'),
    role: 'admin',
    menu: { section: 'system', order: 2, icon: iconUsers },
  },
  { path: '/account', name: 'account', title: 'users.account.title', component: () => import('./AccountPage.vue') },
)
