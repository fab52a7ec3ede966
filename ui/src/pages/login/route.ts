import { definePages } from '@/router/page'

export default definePages(
  { path: '/login', name: 'login', title: 'login.title', role: 'anyone', component: () => import('./LoginPage.vue') },
  { path: '/password', name: 'password', title: 'login.passwordTitle', role: 'metrics', component: () => import('./PasswordPage.vue') },
)
