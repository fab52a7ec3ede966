import { iconStudies } from '@/icons'
import { definePages } from '@/router/page'

export default definePages(
  {
    path: '/studies',
    name: 'studies',
    title: 'studies.title',
    component: () => import('./StudiesPage.vue'),
    menu: { section: 'work', order: 2, icon: iconStudies },
  },
  { path: '/studies/:id(\\d+)', name: 'study', title: 'studies.study', component: () => import('./StudyPage.vue') },
  { path: '/objects/:id(\\d+)', name: 'object', title: 'studies.object', component: () => import('./ObjectPage.vue') },
  // ?series=…&object=…&frame=…: all objects of a series, or one that is in none
  { path: '/viewer', name: 'viewer', title: 'studies.viewer.title', component: () => import('./viewer/ViewerPage.vue') },
)
