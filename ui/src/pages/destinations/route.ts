import { iconDestination } from '@/icons'
import { definePages } from '@/router/page'

export default definePages(
  {
    path: '/destinations',
    name: 'destinations',
    title: 'destinations.title',
    component: () => import('./DestinationsPage.vue'),
    menu: { section: 'configuration', order: 1, icon: iconDestination },
  },
  { path: '/destinations/:name', name: 'destination', title: 'destinations.destination', component: () => import('./DestinationPage.vue') },
)
