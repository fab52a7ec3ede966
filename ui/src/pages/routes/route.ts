import { iconRoute, iconUnrouted } from '@/icons'
import { definePages } from '@/router/page'

export default definePages(
  {
    path: '/routes',
    name: 'routes',
    title: 'routes.title',
    component: () => import('./RoutesPage.vue'),
    menu: { section: 'configuration', order: 1, icon: iconRoute },
  },
  { path: '/routes/:id(\\d+)', name: 'route', title: 'routes.route', component: () => import('./RoutePage.vue') },
  // ?object=…
  { path: '/routes/explain', name: 'explain', title: 'routes.explain.title', component: () => import('./ExplainPage.vue') },
  { path: '/routes/deidentification', name: 'deidentification', title: 'routes.deidentification.title', component: () => import('./DeidentificationPage.vue') },
  {
    path: '/unrouted',
    name: 'unrouted',
    title: 'routes.unrouted.title',
    component: () => import('./UnroutedPage.vue'),
    menu: { section: 'work', order: 3, icon: iconUnrouted },
  },
)
