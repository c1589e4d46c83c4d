import { pages } from '@jiaohao/lib/vite'

export default pages('drivers', import.meta.dirname)
