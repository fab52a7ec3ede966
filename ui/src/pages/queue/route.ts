import { iconHistory, iconQueue } from '@/icons'
import { definePages } from '@/router/page'

export default definePages(
  {
    path: '/queue',
    name: 'queue',
    title: 'queue.title',
    component: () => import('./QueuePage.vue'),
    menu: { section: 'work', order: 1, icon: iconQueue },
  },
  {
    path: '/history',
    name: 'history',
    title: 'queue.historyTitle',
    component: () => import('./HistoryPage.vue'),
    menu: { section: 'work', order: 5, icon: iconHistory },
  },
)
