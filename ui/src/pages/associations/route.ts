import { iconAssociation } from '@/icons'
import { definePages } from '@/router/page'

export default definePages({
  path: '/associations',
  name: 'associations',
  title: 'associations.title',
  component: () => import('./AssociationsPage.vue'),
  menu: { section: 'work', order: 4, icon: iconAssociation },
})
